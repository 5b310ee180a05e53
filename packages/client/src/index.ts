/** The Rollcall SDK: register, watch, pick and call services. */
export { connect } from './connect.js'
export type { AddressOptions } from './shell/address.js'
export type { AttemptReport, Balancer, BalancerFactory, BalancerTools } from './balancers/balancer.js'
export type { BalancerChoice, BalancerName, BalancingOptions } from './balancers/balancing.js'
export type { LeastLoadedOptions } from './balancers/least-loaded.js'
export type { HashOptions } from './balancers/consistent-hash.js'
export type { SubsetOptions } from './balancers/subset.js'
export type { FetchBody } from './calls/body.js'
export type { AttemptContext, CallOptions, Work } from './calls/call.js'
export type { FetchInit } from './calls/fetch.js'
export type { AttemptEnd, Judgement } from './calls/judgement.js'
export { judgeError } from './calls/judgement.js'
export type { HedgeDelay } from './calls/latencies.js'
export type { Attempt } from './calls/run.js'
export { callerTimeoutMs, TIMEOUT_HEADER } from './calls/timeout-header.js'
export type { Rollcall } from './client.js'
export type { Logger } from './machine/ports.js'
export type {
  CallOutcome,
  ClusterTerms,
  ListChange,
  ListSource,
  MergeMode,
  RegistrationPatch,
  RegistrationState,
  Removed,
} from './machine/events.js'
export type { MachineTimes } from './machine/settings.js'
export type {
  ClusterStatus,
  LinkStatus,
  ListStatus,
  MachineStatus,
  Origin,
  WatchStatus,
} from './machine/status.js'
export type {
  ClusterOptions,
  ConnectOptions,
  RegisterOptions,
  ServiceOptions,
  StaticInstance,
} from './options.js'
export type { ClusterRegistration, Registration, RegistrationEvent } from './registration.js'
export type { AttemptBegin, AttemptObservation, CallObservation, Observer } from './observer.js'
export type { PickOptions, ReadyOptions, Service } from './service.js'
export type { ShardChange, Shards } from './sharing/shards.js'
export { ERROR_CODES, isRegistryError, RegistryError } from '@rollcall/wire'
export type { ErrorCode, Guard, Instance, Intent, Liveness, Probe, State } from '@rollcall/wire'
export type { WarmUpHook, WarmUpOptions } from './start-up/warm-up.js'
