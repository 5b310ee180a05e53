/** On which page of the reference each export of the SDK stands. One that is missing here fails the generator. */

/** Pages in their order: file, heading, what they are about, and what is on them. */
export const TOPICS = [
  {
    page: 'connecting',
    title: 'Connecting',
    about: 'To one registry or several, addresses and TLS, what the client says of itself.',
    names: `connect AddressOptions ClusterOptions ClusterStatus ClusterTerms ConnectOptions LinkStatus Logger MachineStatus
      MachineTimes MergeMode Phase Rollcall TlsOptions nodeTls LastError NodeTls`,
  },
  {
    page: 'registering',
    title: 'Registering',
    about: 'Putting a process on the list, changing what it says, and leaving.',
    names: `ClusterRegistration Intent Liveness Probe RegisterOptions Registration RegistrationEvent RegistrationPatch
      RegistrationState`,
  },
  {
    page: 'finding',
    title: 'Finding',
    about: 'The list of a service, how fresh it is, and its changes.',
    names: `Guard Instance ListChange ListSource ListStatus Origin Removed Service ServiceOptions State StaticInstance
      SubsetOptions WatchedService WatchStatus`,
  },
  {
    page: 'calling',
    title: 'Calling',
    about: 'Which instance is chosen, what is repeated, deadlines, outlier ejection, observers.',
    names: `judgeError callerTimeoutMs TIMEOUT_HEADER Attempt AttemptBegin AttemptContext AttemptEnd AttemptObservation
      AttemptReport Balancer BalancerChoice BalancerFactory BalancerName BalancerTools BalancingOptions CallObservation
      CallOptions CallOutcome FetchBody FetchInit HashOptions HedgeDelay Judgement LeastLoadedOptions Observer PickOptions`,
  },
  {
    page: 'start-up',
    title: 'Start-up',
    about: 'When a program is ready to call, and connections that are opened before the first call.',
    names: 'ReadyOptions WarmUpHook WarmUpOptions',
  },
  {
    page: 'sharing-work',
    title: 'Sharing work',
    about: 'Which part of the work belongs to this process.',
    names: 'ShardChange Shards Work',
  },
  {
    page: 'errors',
    title: 'Errors',
    about: 'The one class of errors and its codes.',
    names: 'ERROR_CODES isRegistryError RegistryError ErrorCode',
  },
].map(({ names, ...topic }) => ({ ...topic, names: new Set(names.split(/\s+/)) }))

/** The page of everything that other entries than the SDK's own export. */
export const INTEGRATIONS = {
  page: 'integrations',
  title: 'Integrations',
  about: 'The SDK in axios, Express, Fastify, gRPC, NestJS, OpenTelemetry and undici.',
}
