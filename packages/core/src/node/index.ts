export { maxImageMegapixels, readImage, writeImage } from './read-image.js';
