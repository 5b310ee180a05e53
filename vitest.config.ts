/** How each kind of test is run: folders, conditions and timeouts. */
import { defineConfig } from 'vitest/config'

// Everything but integration and docs runs straight from the sources: the `@rollcall/source` condition of
// every package points at `src`. Those two start the built server instead.
export default defineConfig({
  resolve: { conditions: ['@rollcall/source'] },
  ssr: { resolve: { conditions: ['@rollcall/source'] } },
  test: {
    // Generous: what hangs shall end, and no machine be too slow to be right.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
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
      { extends: true, test: { name: 'simulation', include: ['tests/simulation/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          fileParallelism: false,
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
        },
      },
      {
        extends: true,
        test: {
          name: 'docs',
          include: ['tests/docs/**/*.test.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
})
