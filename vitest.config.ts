/** How each kind of test is run: folders, conditions, timeouts, and how many files at a time. */
import { defineConfig } from 'vitest/config'

/**
 * Files that have the machine to themselves: those whose figures a test beside them would spoil (rates, percentiles of
 * milliseconds), and those that run several of their own tests at the same time already.
 */
const ALONE = [
  'chaos-kill',
  'chaos-network',
  'chaos-silence',
  'cluster-changes',
  'cluster-throughput',
  'engine-etcd',
  'example-clients',
  'logging',
  'process-metrics',
  'prober',
  'server-change',
].map((name) => `tests/integration/${name}.test.ts`)

// Everything but integration, alone and docs runs straight from the sources: the `@rollcall/source` condition of
// every package points at `src`. Those three start the built server instead.
export default defineConfig({
  resolve: { conditions: ['@rollcall/source'] },
  ssr: { resolve: { conditions: ['@rollcall/source'] } },
  test: {
    // Generous: what hangs shall end, and no machine be too slow to be right.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    // Vitest leaves one core unused unless told otherwise: on two cores it would run one file at a time.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'examples/*/src/**/*.test.ts', 'bench/src/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'architecture', include: ['tests/architecture/**/*.test.ts', 'tools/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['tests/simulation/**/*.test.ts'],
          // Nothing but computing: ten seconds for the longest on a quiet machine, and six times that on a busy one.
          testTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          exclude: ALONE,
          // These mostly wait, for clocks and processes. Two at a time fill two cores, and leave the promised times room.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      // Guests that are fetched: `npm run proof interop`.
      {
        extends: true,
        test: {
          name: 'interop',
          include: ['tests/interop/**/*.test.ts'],
          testTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        test: {
          name: 'docs',
          include: ['tests/docs/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
