/** Several kinds of requests by which clients of another registry ask a node, each beside a bare server that sends the same. */
import type { ServerProcess } from '@rollcall/testkit'
import { measureOf, Series, type Measure } from '../measure.js'
import type { BareHttp } from '../programs/bare-http.js'
import type { HttpLoadProgram } from '../programs/http-load.js'
import type { Stage } from '../scenario.js'
import { Contest, extentOf, takeTurns, type Side, type Template } from './contest.js'
import { answerOf } from './requests.js'

/** The floor, and the target of each request: those of the native protocol. */
export const FOREIGN_BASELINE =
  'a bare node:http server that reads the same bodies with JSON.parse and sends the same bytes'

/** A node with an adapter on, and the port of that. */
export interface ForeignNode {
  readonly server: ServerProcess
  readonly port: number
}

/** One kind of request. */
export interface ForeignRequest {
  readonly name: string
  readonly template: Template
}

function headersOf({ headers = [] }: Template): Record<string, string> {
  return Object.fromEntries(headers.map((line) => line.split(': ', 2) as [string, string]))
}

/** Measures requests of one kind. The sample, whose answer the floor sends, has sevens for numbers. */
export async function contend(
  stage: Stage,
  { server, port }: ForeignNode,
  { name, template }: ForeignRequest,
): Promise<readonly Measure[]> {
  const bare = stage.program<BareHttp>('bare-http')
  const load = stage.program<HttpLoadProgram>('http-load')
  const sample = (text: string): string => text.replaceAll('#', '7')
  const answer = await answerOf(port, sample(template.path), {
    method: template.method,
    headers: {
      ...headersOf(template),
      ...(template.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(template.body === undefined ? {} : { body: sample(JSON.stringify(template.body)) }),
  })
  await bare.call('prepare', answer)
  const rollcall: Side = { port, pid: server.pid, series: new Series(), next: 0 }
  const baseline: Side = { port: await bare.call('listen'), pid: bare.pid, series: new Series(), next: 0 }
  const contest = new Contest(load, extentOf(stage).seconds)
  await takeTurns(stage, contest, { server, rollcall, baseline }, template, name)
  await Promise.all([bare.stop(), load.stop()])
  const both = (what: string) => ({ rollcall: rollcall.series.of(what), baseline: baseline.series.of(what) })
  const target = { of: 'ratio', atLeast: 0.8 } as const
  return [
    measureOf({ name: `${name}: requests/s, 64 connections`, unit: '1/s', ...both('rate'), target }),
    measureOf({
      name: `${name}: requests per second of CPU time`,
      unit: '1/s',
      ...both('perCpuSecond'),
      target,
    }),
    measureOf({ name: `${name}: latency p99, as fast as it goes`, unit: 'ms', ...both('floodP99Ms') }),
  ]
}
