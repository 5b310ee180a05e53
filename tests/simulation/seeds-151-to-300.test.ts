/** The second half of the seeds that every test run has. */
import { describe } from 'vitest'
import { testSeeds } from './seeds.js'

describe('simulation', () => {
  testSeeds(151, 300)
})
