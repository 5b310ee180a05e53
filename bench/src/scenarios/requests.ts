/** Requests that set a scenario up or check it; none of them is measured. */
import { createApi } from '@rollcall/wire/http-client'

/** Sends JSON; resolves to the body of the answer, rejects unless it is 200. */
export async function postJson(url: string, path: string, value: unknown): Promise<string> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  })
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body.slice(0, 500)}`)
  return body
}

/** Reads JSON; rejects unless the answer is 200. */
export async function getJson(
  url: string,
  path: string,
): Promise<{ readonly body: string; readonly etag: string }> {
  const response = await fetch(url + path)
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body.slice(0, 500)}`)
  return { body, etag: response.headers.get('etag') ?? '' }
}

/** How many instances a node lists, in any state. */
export async function instancesOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return [...text.matchAll(/^rollcall_instances\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
}

/** The sign of every service, by name. */
export async function signsOf(url: string): Promise<Map<string, string>> {
  const api = createApi(fetch, { base: url })
  const signs = new Map<string, string>()
  for (let after: string | undefined; ;) {
    const { services, next } = await api.call('listServices', { limit: 500, after })
    for (const { service, sign } of services) signs.set(service, sign)
    if (next === undefined) return signs
    after = next
  }
}
