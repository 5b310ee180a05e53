/** Every scenario, in the order in which they run and are told. */
import type { Scenario } from './scenario.js'
import { adapters } from './scenarios/adapters.js'
import { batch } from './scenarios/batch.js'
import { clusters } from './scenarios/clusters.js'
import { consul } from './scenarios/consul.js'
import { dns } from './scenarios/dns.js'
import { eureka } from './scenarios/eureka.js'
import { fanOut } from './scenarios/fan-out.js'
import { heartbeat, lookup, register } from './scenarios/http.js'
import { idle } from './scenarios/idle.js'
import { restart } from './scenarios/restart.js'
import { pick, watchMany } from './scenarios/sdk.js'
import { sizing } from './scenarios/sizing.js'
import { startUp } from './scenarios/start-up.js'
import { turn } from './scenarios/turn.js'
import { watched } from './scenarios/watched.js'

export const SCENARIOS: readonly Scenario[] = [
  register,
  heartbeat,
  lookup,
  batch,
  fanOut,
  restart,
  idle,
  sizing,
  turn,
  pick,
  watchMany,
  startUp,
  watched,
  clusters,
  eureka,
  consul,
  dns,
  adapters,
]
