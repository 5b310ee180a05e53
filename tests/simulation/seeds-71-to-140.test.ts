/** The second half of the seeds that every test run has. */
import { describe } from 'vitest'
import { testSeeds } from './seeds.js'

describe('simulation', () => {
  testSeeds(71, 140, { nodes: 1 })
  testSeeds(6, 13, { nodes: 3 })
})
