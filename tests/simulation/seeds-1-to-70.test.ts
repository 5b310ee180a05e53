/** The first half of the seeds that every test run has. */
import { describe } from 'vitest'
import { testSeeds } from './seeds.js'

describe('simulation', () => {
  testSeeds(1, 70, { nodes: 1 })
})
