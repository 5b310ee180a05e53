/** Requests that set a scenario up or check it; none of them is measured. */

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
  const signs = new Map<string, string>()
  let after = ''
  do {
    const { body } = await getJson(
      url,
      `/api/v1/services?limit=500${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`,
    )
    const page = JSON.parse(body) as { services: { service: string; sign: string }[]; next?: string }
    for (const { service, sign } of page.services) signs.set(service, sign)
    after = page.next ?? ''
  } while (after !== '')
  return signs
}
