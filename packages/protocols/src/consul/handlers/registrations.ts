/** `/v1/agent/service` and `/v1/agent/check`, as far as they change what is registered. */
import type { Caller } from '@rollcall/core'
import { defined, OPERATOR_LIMITS } from '@rollcall/wire'
import { parseJson } from '../../http/json.js'
import type { BookEntry, Run } from '../book.js'
import { viaConsul } from '../caller.js'
import { invalid, readCheckRegistration, readService, readUpdate } from '../codec.js'
import { type CheckDefinition, type ServiceDefinition, type CheckStatus, withoutSay } from '../definitions.js'
import { refusal, registrationRefused } from '../errors.js'
import { boolOf } from '../filter/filters.js'
import { definitionOf, demandRoom, keyOf, PROTOCOL, toCommand } from '../mapping.js'
import { parseTarget } from '../targets.js'
import {
  ANY_BODY,
  type Call,
  done,
  type ConsulHandlerDeps,
  type HandlerRoutes,
  requireReady,
} from './deps.js'

const NOTE_CHARS_MAX = 4_096

export function createRegistrations(deps: ConsulHandlerDeps): HandlerRoutes {
  const word = (status: CheckStatus) => (call: Call) => beat(deps, call, status, call.query.get('note') ?? '')
  return {
    '/v1/agent/service/register': { PUT: (call) => register(deps, call) },
    '/v1/agent/service/deregister/*': { PUT: (call) => deregister(deps, call) },
    '/v1/agent/service/maintenance/*': { PUT: (call) => maintainService(deps, call) },
    '/v1/agent/maintenance': { PUT: (call) => maintainNode(deps, call) },
    '/v1/agent/check/register': { PUT: (call) => registerCheck(deps, call) },
    '/v1/agent/check/deregister/*': { PUT: (call) => deregisterCheck(deps, call) },
    '/v1/agent/check/pass/*': { PUT: word('passing') },
    '/v1/agent/check/warn/*': { PUT: word('warning') },
    '/v1/agent/check/fail/*': { PUT: word('critical') },
    '/v1/agent/check/update/*': { PUT: (call) => update(deps, call) },
  }
}

/** Reads the body as JSON, whatever its media type. */
function readBody(
  { options }: ConsulHandlerDeps,
  { exchange }: Call,
  take: (body: unknown) => Promise<void>,
): void {
  exchange.rawBody(ANY_BODY, (bytes) => take(parseJson(bytes)), options.bodyBytesMax)
}

// ---- services --------------------------------------------------------------------------------------------

function register(deps: ConsulHandlerDeps, call: Call): void {
  requireReady(deps)
  readBody(deps, call, async (body) => {
    const caller = viaConsul(call.exchange.caller)
    const given = readService(body, caller.peer ?? '')
    const replaces =
      call.query.has('replace-existing-checks') && call.query.get('replace-existing-checks') !== 'false'
    for (const check of given.checks) checkEndpoint(deps, caller, given, check)
    const before = deps.checks.book.byId(given.id)
    const next = { ...given, checks: checksAfter(deps, before, given, replaces) }
    // The same id under another name is one service that is called otherwise now.
    if (before !== undefined && before.name !== next.name) await takeOut(deps, before, caller)
    await write(deps, next, caller)
    done(call)
  })
}

/** A check that stays keeps its status; one that the body does not name stays as well, unless all are to be replaced. */
function checksAfter(
  { registry, checks }: ConsulHandlerDeps,
  before: BookEntry | undefined,
  given: ServiceDefinition,
  replaces: boolean,
): readonly CheckDefinition[] {
  const offer =
    before === undefined
      ? undefined
      : registry.read(viaConsul({ principal: { kind: 'anonymous' } })).offer(before.key)
  const stored = offer === undefined ? [] : (definitionOf(offer)?.checks ?? [])
  const known = new Map(stored.map((check) => [check.id, check]))
  const own = checks.book
  const kept = given.checks.map((check) => {
    const held = known.get(check.id)
    if (held === undefined || held.type !== check.type)
      return demandFree(own.byCheck(check.id), before, check)
    return { ...withoutSay(check), ...sayOf(held) }
  })
  const named = new Set(given.checks.map(({ id }) => id))
  return replaces ? kept : [...kept, ...stored.filter(({ id }) => !named.has(id))]
}

/** Ids of checks are the agent's: one of another service is taken. */
function demandFree(
  owner: BookEntry | undefined,
  own: BookEntry | undefined,
  check: CheckDefinition,
): CheckDefinition {
  if (owner !== undefined && owner.id !== own?.id)
    throw invalid(`Invalid check: ${check.id} belongs to service ${owner.id}`)
  return check
}

function sayOf({
  status,
  fresh,
  output,
  found,
}: CheckDefinition): Pick<CheckDefinition, 'status' | 'fresh' | 'output' | 'found'> {
  return { status, ...defined({ fresh, output, found }) }
}

/** Registers a definition, and takes it into the book at once: its client goes on with the ids of its checks. */
async function write(
  { registry, checks }: ConsulHandlerDeps,
  definition: ServiceDefinition,
  caller: Caller,
): Promise<void> {
  const command = toCommand(definition)
  demandRoom(definition, command)
  const { answer } = await registry.execute({ kind: 'register', items: [command] }, caller)
  const [result] = answer
  if (result?.ok === false) throw registrationRefused(result.error)
  checks.noted(keyOf(definition), { definition, command })
}

async function deregister(deps: ConsulHandlerDeps, call: Call): Promise<void> {
  requireReady(deps)
  await takeOut(deps, knownService(deps, call.rest), viaConsul(call.exchange.caller))
  done(call)
}

function knownService({ checks }: ConsulHandlerDeps, id: string): BookEntry {
  const entry = checks.book.byId(id)
  if (entry === undefined)
    throw refusal(
      404,
      `Unknown service ID ${JSON.stringify(id)}. Ensure that the service ID is passed, not the service name.`,
    )
  return entry
}

async function takeOut(deps: ConsulHandlerDeps, entry: BookEntry, caller: Caller): Promise<void> {
  const { registry, checks } = deps
  // What maintenance said of it goes with it; what an operator said by another way stands.
  const { override } = registry.read(caller).offer(entry.key) ?? {}
  if (override?.by === PROTOCOL)
    await registry.execute({ kind: 'clearOverrides', refs: [entry.key], by: PROTOCOL }, caller)
  checks.dropped(entry)
  await registry.execute({ kind: 'deregister', refs: [entry.key] }, caller)
}

// ---- maintenance -----------------------------------------------------------------------------------------

function enableOf(query: URLSearchParams): boolean {
  const text = query.get('enable') ?? ''
  if (text === '') throw refusal(400, 'Missing value for enable')
  const enable = boolOf(text)
  if (enable === undefined) throw refusal(400, `Invalid value for enable: ${JSON.stringify(text)}`)
  return enable
}

async function maintainService(deps: ConsulHandlerDeps, call: Call): Promise<void> {
  requireReady(deps)
  const enable = enableOf(call.query)
  const entry = knownService(deps, call.rest)
  if (!(await maintain(deps, call, [entry], enable)))
    throw refusal(
      403,
      `${entry.id} was taken out by an operator of Rollcall: it is for them to take that back`,
    )
  done(call)
}

/** All that the caller's address has registered: with an agent on each machine that is what one node has. */
async function maintainNode(deps: ConsulHandlerDeps, call: Call): Promise<void> {
  requireReady(deps)
  const enable = enableOf(call.query)
  const { peer } = call.exchange.caller
  const own = [...deps.checks.book.all()].filter((entry) => entry.peer === peer)
  await maintain(deps, call, own, enable)
  done(call)
}

/** False where an operator's own word stands for one that is to be brought back. */
async function maintain(
  { registry }: ConsulHandlerDeps,
  call: Call,
  entries: readonly BookEntry[],
  enable: boolean,
): Promise<boolean> {
  const caller = viaConsul(call.exchange.caller)
  const read = registry.read(caller)
  const standing = entries.map(({ key }) => ({ key, override: read.offer(key)?.override }))
  const isOut = ({ override }: (typeof standing)[number]): boolean =>
    override?.value?.disable === true || override?.value?.drain === true
  const out = standing.filter(isOut)
  const ours = out.filter(({ override }) => override?.by === PROTOCOL)
  const refs = (enable ? standing.filter((each) => !isOut(each) || ours.includes(each)) : ours).map(
    ({ key }) => key,
  )
  const why = (call.query.get('reason') ?? '').slice(0, OPERATOR_LIMITS.whyCharsMax)
  const signature = { by: PROTOCOL, ...(why === '' ? {} : { why }) }
  if (refs.length > 0) {
    const command = enable
      ? ({ kind: 'override', refs, disable: true, ...signature } as const)
      : ({ kind: 'clearOverrides', refs, by: PROTOCOL } as const)
    const { answer } = await registry.execute<'override' | 'clearOverrides'>(command, caller)
    const refused = answer.find((each) => !each.ok)
    if (refused?.ok === false) throw registrationRefused(refused.error)
  }
  return enable || ours.length === out.length
}

// ---- checks ----------------------------------------------------------------------------------------------

/** Throws a 400 where the node may not, or cannot, ask what a check wants asked. */
function checkEndpoint(
  deps: ConsulHandlerDeps,
  caller: Caller,
  service: ServiceDefinition,
  check: CheckDefinition,
): void {
  if (check.type === 'ttl') return
  const target = parseTarget(check)
  if (target === undefined)
    throw invalid(
      `Invalid check: ${JSON.stringify(check.target)} is not ${check.type === 'http' ? 'a URL of http or https' : 'host:port'}`,
    )
  const { host, port, probe } = target
  if (!deps.registry.read(caller).mayProbe(host, caller.peer))
    throw invalid(
      `Invalid check: Rollcall may not ask ${host}, which is neither the address of the caller (${caller.peer ?? 'unknown'}) nor in its probeNetworks`,
    )
  const fault = deps.probeFault({ ...probe, port }, service.port)
  if (fault !== undefined) throw invalid(`Invalid check: ${fault.message}`)
}

function registerCheck(deps: ConsulHandlerDeps, call: Call): void {
  requireReady(deps)
  readBody(deps, call, async (body) => {
    const { serviceId, check } = readCheckRegistration(body)
    const entry = deps.checks.book.byId(serviceId)
    if (entry === undefined) throw refusal(404, `ServiceID ${JSON.stringify(serviceId)} does not exist`)
    const caller = viaConsul(call.exchange.caller)
    const definition = storedDefinition(deps, entry, caller)
    checkEndpoint(deps, caller, definition, check)
    const held = definition.checks.find(({ id }) => id === check.id)
    const next =
      held === undefined || held.type !== check.type
        ? demandFree(deps.checks.book.byCheck(check.id), entry, check)
        : { ...withoutSay(check), ...sayOf(held) }
    const others = definition.checks.filter(({ id }) => id !== check.id)
    await write(deps, { ...definition, checks: [...others, next] }, caller)
    done(call)
  })
}

async function deregisterCheck(deps: ConsulHandlerDeps, call: Call): Promise<void> {
  requireReady(deps)
  const { entry } = knownCheck(deps, call.rest)
  const caller = viaConsul(call.exchange.caller)
  const definition = storedDefinition(deps, entry, caller)
  await write(deps, { ...definition, checks: definition.checks.filter(({ id }) => id !== call.rest) }, caller)
  done(call)
}

function storedDefinition(
  { registry }: ConsulHandlerDeps,
  entry: BookEntry,
  caller: Caller,
): ServiceDefinition {
  const offer = registry.read(caller).offer(entry.key)
  const definition = offer === undefined ? undefined : definitionOf(offer)
  if (definition === undefined) throw refusal(404, `ServiceID ${JSON.stringify(entry.id)} does not exist`)
  return definition
}

function knownCheck(
  { checks }: ConsulHandlerDeps,
  id: string,
): { readonly entry: BookEntry; readonly run: Run } {
  const entry = checks.book.byCheck(id)
  const run = entry?.runs.get(id)
  if (entry === undefined || run === undefined) throw unknownCheck(id)
  return { entry, run }
}

function unknownCheck(id: string): Error {
  return refusal(
    404,
    `Unknown check ID ${JSON.stringify(id)}. Ensure that the check ID is passed, not the check name.`,
  )
}

async function beat(deps: ConsulHandlerDeps, call: Call, status: CheckStatus, note: string): Promise<void> {
  requireReady(deps)
  const { entry, run } = knownCheck(deps, call.rest)
  if (run.type !== 'ttl')
    throw refusal(500, `CheckID ${JSON.stringify(call.rest)} does not have associated TTL`)
  if (!(await deps.checks.beat(entry, run, status, note.slice(0, NOTE_CHARS_MAX))))
    throw unknownCheck(call.rest)
  done(call)
}

function update(deps: ConsulHandlerDeps, call: Call): void {
  readBody(deps, call, (body) => {
    const { status, output } = readUpdate(body)
    return beat(deps, call, status, output)
  })
}
