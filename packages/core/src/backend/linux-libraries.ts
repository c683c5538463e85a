/** Those of the libraries that Linux' dynamic linker does not find. Each is opened and closed again; none is an addon of Node. */
export function missingLibraries(libraries: readonly string[]): string[] {
  return libraries.filter((library) => {
    try {
      process.dlopen({ exports: {} }, library);
      return false;
    } catch (error) {
      return (error as Error).message.startsWith(`${library}: cannot open`);
    }
  });
}
