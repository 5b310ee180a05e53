/** The reference page of the configuration has every setting. */
import { describe, expect, it } from 'vitest'
import { renderConfigReference } from './reference.js'
import { SETTINGS } from './schema.js'

describe('the reference of the configuration', () => {
  it('gives a reason for every setting', () => {
    const page = renderConfigReference()
    for (const setting of SETTINGS) {
      expect(setting.reason).toMatch(/^[A-Z`].*\.$/)
      expect(page).toContain(`## ${setting.key}\n\n${setting.reason}\n`)
    }
  })
})
