/** What tests of the HTTP API expect of its answers. */
import { expect } from 'vitest'

/** A sign or a digest. */
export const HEX16 = expect.stringMatching(/^[0-9a-f]{16}$/) as string

/** A body with this error, which names the field where there is one. */
export const errorOf = (code: string, field?: string): object => ({
  error: expect.objectContaining({
    code,
    message: expect.any(String),
    ...(field === undefined ? {} : { field }),
  }) as unknown,
})
