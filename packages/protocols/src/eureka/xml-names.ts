/**
 * Names of metadata as names of XML elements, by the rules of XStream, which Java's server and clients use: `_` is doubled, `$` is
 * `_-`, and any other character that has no place in a name is `_.` and four hex digits for each unit of UTF-16. A colon is
 * escaped too: to readers that know namespaces it means a prefix. Pure.
 */

// Of letters beyond ASCII those that every version of XML has in names: one that a reader refuses costs it the whole list.
const NAME_START = /[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]/
const NAME_PART = /[A-Za-z0-9.\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff-]/

export function escapeXmlName(name: string): string {
  let escaped = ''
  for (let at = 0; at < name.length; at++) {
    const unit = name[at] as string
    if (unit === '_') escaped += '__'
    else if (unit === '$') escaped += '_-'
    else if ((at === 0 ? NAME_START : NAME_PART).test(unit)) escaped += unit
    else escaped += `_.${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  }
  return escaped
}

/** What is escaped in no way stands for itself. */
export function readXmlName(escaped: string): string {
  return escaped.replace(/__|_-|_\.([0-9a-fA-F]{4})/g, (found, digits: string | undefined) => {
    if (digits !== undefined) return String.fromCharCode(Number.parseInt(digits, 16))
    return found === '__' ? '_' : '$'
  })
}
