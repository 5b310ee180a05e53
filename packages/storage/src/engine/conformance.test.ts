/** The engine in memory does what the port promises. The engine on etcd runs the same in tests/integration. */
import { describeEngine } from './conformance.fixture.js'
import { MEMORY_TRAITS, openMemory } from './conformance/memory-harness.fixture.js'

describeEngine('in memory', MEMORY_TRAITS, openMemory)
