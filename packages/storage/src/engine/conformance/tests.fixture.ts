/** Tests as data: a sentence and what proves it. */
import type { Scene } from './harness.fixture.js'

export type Tests = Readonly<Record<string, (scene: Scene) => Promise<void>>>
