/** The deterministic simulation: docs/simulation.md. */
export { type Fault, faultText } from './faults/fault.js'
export { type ProgramPlan, type Scenario, scenarioOf } from './scenario.js'
export { type RunFailure, type RunOptions, type RunResult, shrink, simulate } from './simulation.js'
export type { Sabotage } from './world/sabotage.js'
export { type Mutation, mutationNamed, MUTATIONS } from './mutations/mutations.js'
export { type ProgramSketch, type ScenarioSketch, sketched } from './plan.js'
