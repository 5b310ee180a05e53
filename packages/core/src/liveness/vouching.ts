/**
 * Which session vouches for an instance. A client opens a new connection before the old one has ended, and one that
 * it gave up may deliver its last words after those of its successor: so every open session that vouched goes on
 * doing so, and only when the last of them has closed is the instance without one.
 */
import type { Entry } from '../directory/directory.js'
import { NO_SESSIONS, type SessionWatch, type Watch } from './watch.js'

/** The session vouches from now on; the one before stays behind it while it is open. */
export function attach(watch: Watch, session: SessionWatch): void {
  const before = watch.session
  if (before === session) return
  if (before !== undefined && before.closedAt === undefined)
    watch.others = openOf([...watch.others, before], session)
  else before?.watches.delete(watch)
  watch.session = session
  session.watches.add(watch)
}

/** No session vouches any more. */
export function detach(watch: Watch): void {
  watch.session?.watches.delete(watch)
  for (const session of watch.others) session.watches.delete(watch)
  watch.session = undefined
  watch.others = NO_SESSIONS
}

/** A session has closed: others take over where there are any. Returns those that are left without one. */
export function handOver(session: SessionWatch): readonly Watch[] {
  const left: Watch[] = []
  for (const watch of session.watches) {
    const others = openOf(watch.others, undefined)
    const heir = others.at(-1)
    if (watch.session !== session) watch.others = others
    else if (heir !== undefined) {
      watch.session = heir
      watch.others = openOf(others, heir)
    }
    if (watch.session === session) left.push(watch)
    else session.watches.delete(watch)
  }
  return left
}

/** The open session that vouches for the incarnation that is stored, if there is one. */
export function voucher({ watch, record }: Entry): SessionWatch | undefined {
  const { content } = record
  if (watch?.session?.closedAt !== undefined || watch?.incarnation !== record.incarnation) return undefined
  return content.intent !== 'gone' && content.liveness === 'lease' ? watch.session : undefined
}

function openOf(sessions: readonly SessionWatch[], but: SessionWatch | undefined): readonly SessionWatch[] {
  const open = sessions.filter((session) => session.closedAt === undefined && session !== but)
  return open.length === 0 ? NO_SESSIONS : open
}
