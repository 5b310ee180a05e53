// What is bundled into one file, as a module and as CommonJS: no `await` at the top, which CommonJS has not.
import { connect, isRegistryError } from '@rollcall/client'
import { smoke } from './steps.mjs'

void smoke({ connect, isRegistryError }, process.argv[2])
