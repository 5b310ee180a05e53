/** Instances as XML, as XStream writes and reads them. Pure. */
import { isUtf8 } from 'node:buffer'
import sax from 'sax'
import { NAME_MEMBERS, type PortMember, type Shown, URL_MEMBERS } from './messages.js'
import { unreadable } from './reading.js'
import { escapeXmlName, readXmlName } from './xml-names.js'

/** An instance is four deep: instance, dataCenterInfo, metadata, and one of its names. */
const DEPTH_MAX = 5

/** Far more than metadata may have. */
const ELEMENTS_MAX = 2_000

interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Element[]
  text: string
}

/** The tree of an `<instance>`, in the form that its JSON has. Throws `malformed` for anything else. */
export function parseInstanceXml(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw unreadable('not UTF-8')
  const root = parse(bytes.toString())
  if (root.name !== 'instance') throw unreadable('the root is no <instance>')
  return treeOf(root)
}

function parse(text: string): Element {
  const parser = sax.parser(true, { strictEntities: true } as sax.SAXOptions)
  const open: Element[] = []
  let root: Element | undefined
  let elements = 0
  const add = (said: string): void => {
    const parent = open.at(-1)
    if (parent !== undefined) parent.text += said
  }
  Object.assign(parser, {
    onerror(error: Error) {
      throw unreadable(`not XML: ${(error.message.split('\n')[0] ?? '').slice(0, 120)}`)
    },
    // Nothing that a client says needs one, and entities are how a short text becomes a long one.
    ondoctype() {
      throw unreadable('a document type is not taken')
    },
    onopentag({ name, attributes }: Pick<Element, 'name' | 'attributes'>) {
      if (++elements > ELEMENTS_MAX || open.length >= DEPTH_MAX)
        throw unreadable('the XML is too deep or too wide')
      const child: Element = { name, attributes, children: [], text: '' }
      open.at(-1)?.children.push(child)
      root ??= child
      open.push(child)
    },
    ontext: add,
    oncdata: add,
    onclosetag: () => void open.pop(),
  })
  parser.write(text).close()
  if (root === undefined) throw unreadable('not XML: there is no element')
  return root
}

type Tree = Record<string, unknown>

function treeOf({ children }: Element): Tree {
  return members(children, (child): unknown => {
    if (child.name === 'port' || child.name === 'securePort')
      return { $: child.text.trim(), ...attribute(child, 'enabled') }
    if (child.name === 'dataCenterInfo')
      return {
        ...members(child.children, (each) => (each.name === 'metadata' ? pairs(each) : each.text)),
        ...attribute(child, 'class'),
      }
    if (child.name === 'leaseInfo') return members(child.children, ({ text }) => text.trim())
    if (child.name === 'metadata') return pairs(child)
    if (child.children.length > 0) throw unreadable(`${child.name} is no text`)
    return child.text
  })
}

/** Attributes have an `@` in JSON. */
function attribute({ attributes }: Element, name: string): Tree {
  const value = attributes[name]
  return value === undefined ? {} : { [`@${name}`]: value }
}

function pairs({ children }: Element): Tree {
  return Object.fromEntries(
    children.map((child) => {
      if (child.children.length > 0) throw unreadable('metadata is nested')
      return [readXmlName(child.name), child.text]
    }),
  )
}

function members(children: readonly Element[], valueOf: (child: Element) => unknown): Tree {
  return Object.fromEntries(children.map((child) => [child.name, valueOf(child)]))
}

/** An instance as an element. */
export function writeInstanceXml(shown: Shown): string {
  const { dataCenter = {}, metadata, texts } = shown
  const { className, name = '', metadata: amazon } = dataCenter
  return element(
    'instance',
    element('instanceId', escapeText(shown.instanceId)) +
      element('hostName', escapeText(shown.hostName)) +
      element('app', escapeText(shown.app)) +
      element('ipAddr', escapeText(shown.ipAddr)) +
      element('status', shown.status) +
      element('overriddenstatus', shown.overriddenStatus) +
      portElement('port', shown.port) +
      portElement('securePort', shown.securePort) +
      element('countryId', String(shown.countryId)) +
      element(
        'dataCenterInfo',
        element('name', escapeText(name)) + (amazon === undefined ? '' : pairsElement(amazon)),
        `class="${escapeText(className ?? '')}"`,
      ) +
      leaseElement(shown) +
      pairsElement(metadata) +
      URL_MEMBERS.map((member) => optionalElement(member, texts[member])).join('') +
      element('isCoordinatingDiscoveryServer', String(shown.isCoordinating)) +
      element('lastUpdatedTimestamp', String(shown.lastUpdated)) +
      element('lastDirtyTimestamp', String(shown.lastDirty)) +
      element('actionType', shown.action) +
      NAME_MEMBERS.map((member) => optionalElement(member, texts[member])).join(''),
  )
}

function leaseElement(shown: Shown): string {
  return element(
    'leaseInfo',
    element('renewalIntervalInSecs', String(shown.renewalSecs)) +
      element('durationInSecs', String(shown.durationSecs)) +
      element('registrationTimestamp', String(shown.registeredAt)) +
      element('lastRenewalTimestamp', String(shown.renewedAt)) +
      element('evictionTimestamp', String(shown.evictedAt)) +
      element('serviceUpTimestamp', String(shown.upAt)),
  )
}

function portElement(name: string, { number, enabled }: PortMember): string {
  return element(name, String(number), `enabled="${enabled}"`)
}

function pairsElement(all: Readonly<Record<string, string>>): string {
  // No element is without a name: one of these would cost its reader the whole list.
  const entries = Object.entries(all).filter(([key]) => key !== '')
  if (entries.length === 0) return '<metadata class="java.util.Collections$EmptyMap"/>'
  return element(
    'metadata',
    entries.map(([key, value]) => element(escapeXmlName(key), escapeText(value))).join(''),
  )
}

function optionalElement(name: string, value: string | undefined): string {
  return value === undefined ? '' : element(name, escapeText(value))
}

/** An element around what is XML already. */
export function element(name: string, content: string, attributes = ''): string {
  return `<${name}${attributes === '' ? '' : ` ${attributes}`}>${content}</${name}>`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
}

/** Characters that no XML may have, in any form: one of them would cost its reader the whole list. */
const IMPOSSIBLE = /[\p{Cs}\ufffe\uffff]|(?![\t\n\r\u007f-\u009f])\p{Cc}/gu

export function escapeText(text: string): string {
  return text.replace(/[&<>"\r]/g, (found) => ESCAPES[found] as string).replace(IMPOSSIBLE, '\ufffd')
}
