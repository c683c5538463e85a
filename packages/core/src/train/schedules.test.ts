import { expect, test } from 'vitest';
import { type Schedule, constant, cosine, multistep, oneCycle, stepDecay } from './schedules.js';

const rates = (schedule: Schedule, totalSteps: number, stepsPerEpoch = 5): number[] =>
  Array.from({ length: totalSteps }, (_, step) => schedule({ step, stepsPerEpoch, totalSteps }));

const expectRates = (found: number[], expected: number[]) => {
  expect(found.length).toBe(expected.length);
  found.forEach((rate, i) => expect(rate, `step ${i}`).toBeCloseTo(expected[i], 14));
};

test('cosine with warmup gives the rates of the reference run', () => {
  // PyTorch: min(1, (s + 1) / 5) up to step 5, then CosineAnnealingLR with T_max = 15, peak 0.02
  const expected = [
    0.004, 0.008, 0.012, 0.016, 0.02, 0.02, 0.019781476007338056, 0.019135454576426007, 0.018090169943749474,
    0.016691306063588582, 0.015, 0.013090169943749475, 0.011045284632676535, 0.008954715367323467, 0.006909830056250526,
    0.005000000000000003, 0.003308693936411421, 0.0019098300562505265, 0.0008645454235739902, 0.0002185239926619431,
  ];
  expectRates(rates(cosine({ peak: 0.02, warmupSteps: 5 }), 20), expected);
  expectRates(rates(cosine({ peak: 0.02, warmupEpochs: 1 }), 20), expected);
});

test('cosine falls to its floor', () => {
  const schedule = cosine({ peak: 1, floor: 0.2 });
  expect(schedule({ step: 10, stepsPerEpoch: 5, totalSteps: 10 })).toBeCloseTo(0.2, 14);
  expect(schedule({ step: 5, stepsPerEpoch: 5, totalSteps: 10 })).toBeCloseTo(0.6, 14);
});

test('one cycle gives the rates of OneCycleLR', () => {
  // OneCycleLR(max_lr=0.1, total_steps=10): rising phase ends at step 0.3 · 10 − 1 = 2, falling phase at step 9;
  // initial 0.1 / 25 = 0.004, last 0.004 / 1e4 = 4e-7; in between b + (a − b) / 2 · (1 + cos(π · t))
  expectRates(
    rates(oneCycle({ peak: 0.1 }), 10),
    [
      0.004, 0.052, 0.1, 0.09504846320134738, 0.08117456539497631, 0.06112620219362893, 0.03887419780637107, 0.0188258346050237,
      0.004951936798652619, 4e-7,
    ],
  );
});

test('one cycle survives runs too short for both phases', () => {
  for (const total of [1, 2, 3, 4]) {
    for (const rate of rates(oneCycle({ peak: 1 }), total)) expect(rate).toBeGreaterThan(0);
  }
  expect(rates(oneCycle({ peak: 1, rise: 1 }), 4).at(-1)).toBeCloseTo(1, 14);
});

test('step decay and multistep drop at the start of an epoch', () => {
  expectRates(rates(stepDecay({ peak: 1, everyEpochs: 2, factor: 0.5 }), 6, 1), [1, 1, 0.5, 0.5, 0.25, 0.25]);
  expectRates(rates(multistep({ peak: 1, epochs: [1, 2] }), 6, 2), [1, 1, 0.1, 0.1, 0.01, 0.01]);
});

test('every schedule takes a linear warmup', () => {
  const schedules = [constant, cosine, oneCycle].map((make) => make({ peak: 1, warmupSteps: 4 }));
  schedules.push(stepDecay({ peak: 1, everyEpochs: 9, warmupSteps: 4 }), multistep({ peak: 1, epochs: [9], warmupSteps: 4 }));
  for (const schedule of schedules) expectRates(rates(schedule, 20).slice(0, 4), [0.25, 0.5, 0.75, 1]);
  expectRates(rates(constant({ peak: 1, warmupEpochs: 0.4 }), 4), [0.5, 1, 1, 1]);
});

test('options that cannot work are refused', () => {
  expect(() => constant({ peak: NaN })).toThrow('found NaN');
  expect(() => cosine({ peak: 1, warmupEpochs: 1, warmupSteps: 1 })).toThrow('not both');
  expect(() => constant({ peak: 1, warmupSteps: -1 })).toThrow('found -1');
  expect(() => stepDecay({ peak: 1, everyEpochs: 0 })).toThrow('found 0');
});
