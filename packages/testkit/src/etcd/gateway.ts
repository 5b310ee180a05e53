/** Questions to an etcd member by HTTP, for what tests do to a cluster: no client of ours is involved. */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

/** Certificates as PEM texts. */
export interface EtcdCertificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface GatewayAnswer {
  readonly status: number
  readonly body: string
}

const ANSWER_MS_MAX = 5_000

/** What a member answers a GET, or a POST with a body. Rejects when nothing comes for 5 s. */
export function askMember(
  url: string,
  body?: unknown,
  certificates?: EtcdCertificates,
): Promise<GatewayAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const options = {
      method: text === undefined ? 'GET' : 'POST',
      headers: text === undefined ? {} : { 'content-type': 'application/json' },
      timeout: ANSWER_MS_MAX,
      agent: false,
      ...certificates,
    }
    const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, options, (response) => {
      let said = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (said += chunk))
      response.once('error', reject)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: said }))
    })
    request.once('error', reject)
    request.once('timeout', () => request.destroy(new Error(`${url} does not answer`)))
    request.end(text)
  })
}
