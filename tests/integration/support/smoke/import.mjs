// The SDK by `import`: `import.mjs REGISTRY`.
import { connect, isRegistryError } from '@rollcall/client'
import { smoke } from './steps.mjs'

await smoke({ connect, isRegistryError }, process.argv[2])
