/** What is declared, also what was taken back and is remembered, with what it costs and which peer pays for it. */
import type { ErrorBody } from '@rollcall/wire'
import type { Budget } from '../budgets/budget.js'
import { type Declaration, declarationKey } from '../records/declaration.js'
import { valueBytes } from '../records/size.js'

export interface HeldDeclaration {
  readonly declaration: Declaration
  readonly bytes: number
  /** Where it was declared last; none after a restart. */
  readonly peer: string | undefined
}

/** A declaration beside its texts, with the service that it may be the only one to hold. */
const DECLARATION_BYTES = 1_500

export class DeclarationBook {
  private readonly held = new Map<string, HeldDeclaration>()
  private readonly budget: Budget

  constructor(budget: Budget) {
    this.budget = budget
  }

  get(key: string): Declaration | undefined {
    return this.held.get(key)?.declaration
  }

  *values(): IterableIterator<Declaration> {
    for (const { declaration } of this.held.values()) yield declaration
  }

  /** With who pays for each. */
  all(): Iterable<HeldDeclaration> {
    return this.held.values()
  }

  /** Why there is no room for a declaration in the place of what is held. There always is where it takes one back. */
  refusal(declaration: Declaration, peer: string | undefined): ErrorBody | undefined {
    if (declaration.register.value === null) return undefined
    const freed = this.held.get(declarationKey(declaration))?.bytes ?? 0
    return this.budget.refusal(peer, declarationBytes(declaration) - freed)
  }

  set(key: string, declaration: Declaration, peer: string | undefined): void {
    this.delete(key)
    const bytes = declarationBytes(declaration)
    this.held.set(key, { declaration, bytes, peer })
    this.budget.add(peer, bytes)
  }

  delete(key: string): void {
    const before = this.held.get(key)
    if (before === undefined) return
    this.held.delete(key)
    this.budget.give(before.peer, before.bytes)
  }
}

export function declarationBytes(declaration: Declaration): number {
  return DECLARATION_BYTES + valueBytes(declaration)
}
