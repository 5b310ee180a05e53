/**
 * The cycles of a directed graph: each strongly connected component of more than one node, and each node that
 * points at itself, as its nodes in order. Tarjan's algorithm.
 */
export function findCycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const indexes = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const cycles: string[][] = []

  const visit = (node: string): void => {
    indexes.set(node, indexes.size)
    let low = indexes.get(node) ?? 0
    stack.push(node)
    for (const next of edges.get(node) ?? []) {
      if (!indexes.has(next)) {
        visit(next)
        low = Math.min(low, lowest.get(next) ?? low)
      } else if (stack.includes(next)) {
        low = Math.min(low, indexes.get(next) ?? low)
      }
    }
    lowest.set(node, low)
    if (low !== indexes.get(node)) return
    const component = stack.splice(stack.indexOf(node))
    if (component.length > 1 || edges.get(node)?.has(node) === true) cycles.push(component)
  }

  for (const node of edges.keys()) if (!indexes.has(node)) visit(node)
  return cycles
}
