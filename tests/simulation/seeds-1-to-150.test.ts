import { describe } from 'vitest'
import { testSeeds } from './seeds.js'

describe('simulation', () => {
  testSeeds(1, 150)
})
