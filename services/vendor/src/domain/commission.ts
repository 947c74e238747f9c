import { add, multiply } from '@haat/money/arithmetic'
import { clamp, min } from '@haat/money/compare'
import { exponent } from '@haat/money/exponent'
import type { Money } from '@haat/money/money'
import { applyBps } from '@haat/money/ratio'

export type Scope = 'default' | 'vendor' | 'category' | 'product'

/** What a rule charges, and from whom. */
export type RuleTerms = {
  scope: Scope
  /** Vendor, category or product; undefined for `default`. */
  refId: string | undefined
  percentBps: number
  /** Per unit. */
  fixed: Money | undefined
  /** Per line. */
  min: Money | undefined
  /** Per line. */
  max: Money | undefined
}

export type Rule = RuleTerms & { id: string; version: bigint; position: number; note: string }

export type Line = {
  vendorId: string
  productId: string
  /** With all ancestors. */
  categoryIds: readonly string[]
  base: Money
  quantity: number
}

/** No amount in a rule is larger, so that a line's commission always fits its type. */
export const MAX_RULE_MINOR = 100_000_000_000_000n

/** The one currency a rule is bound to by its amounts; undefined when it applies to all. */
export const currencyOf = (rule: RuleTerms): string | undefined => (rule.fixed ?? rule.min ?? rule.max)?.currency

const appliesTo = (rule: RuleTerms, currency: string): boolean => {
  const bound = currencyOf(rule)
  return bound === undefined || bound === currency
}

/** True when the rule decides lines like this one: its scope matches and its amounts have the line's currency. */
export function matches(rule: RuleTerms, line: Line): boolean {
  if (!appliesTo(rule, line.base.currency)) return false
  if (rule.scope === 'default') return true
  if (rule.scope === 'vendor') return rule.refId === line.vendorId
  if (rule.scope === 'product') return rule.refId === line.productId
  return rule.refId !== undefined && line.categoryIds.includes(rule.refId)
}

/** Base × percent (half up) + fixed × quantity, at least min, at most max, never more than the base. */
export function commissionOf(rule: RuleTerms, base: Money, quantity: number): Money {
  const percent = applyBps(base, rule.percentBps)
  const raw = rule.fixed ? add(percent, multiply(rule.fixed, quantity)) : percent
  return min(clamp(raw, { min: rule.min, max: rule.max }), base)
}

/** Finds the first rule of a list that matches a line. */
export type Matcher = (line: Line) => Rule | undefined

/** Prepares a list for many lookups: a line looks at the rules of its own scopes only, not at the whole list. */
export function createMatcher(rules: readonly Rule[]): Matcher {
  const byScope = new Map<string, Rule[]>()
  for (const rule of rules) {
    const key = `${rule.scope}:${rule.refId ?? ''}`
    const list = byScope.get(key)
    if (list) list.push(rule)
    else byScope.set(key, [rule])
  }
  return (line) => {
    let first: Rule | undefined
    const consider = (key: string) => {
      const rule = byScope.get(key)?.find((candidate) => appliesTo(candidate, line.base.currency))
      if (rule && (!first || rule.position < first.position)) first = rule
    }
    consider('default:')
    consider(`vendor:${line.vendorId}`)
    consider(`product:${line.productId}`)
    for (const id of line.categoryIds) consider(`category:${id}`)
    return first
  }
}

/** The rule a vendor's sales in a currency fall under when no category or product rule says otherwise. */
export const vendorDefault = (rules: readonly Rule[], vendorId: string, currency: string): Rule | undefined =>
  rules.find(
    (rule) =>
      (rule.scope === 'default' || (rule.scope === 'vendor' && rule.refId === vendorId)) && appliesTo(rule, currency),
  )

export type RuleProblem = { index: number; reason: string; shadowedBy?: number }

/** What is wrong with a list, first problem first; the list must also end with an unbound default (`lacksDefault`). */
export function findProblem(rules: readonly RuleTerms[]): RuleProblem | undefined {
  for (const [index, rule] of rules.entries()) {
    const reason = termsProblem(rule)
    if (reason) return { index, reason }
  }
  for (const [index, rule] of rules.entries()) {
    const shadowedBy = rules.slice(0, index).findIndex((earlier) => covers(earlier, rule))
    if (shadowedBy >= 0) return { index, reason: 'unreachable', shadowedBy }
  }
  return undefined
}

/** True when some line could match no rule: the last one must take everything. */
export function lacksDefault(rules: readonly RuleTerms[]): boolean {
  const last = rules.at(-1)
  return last?.scope !== 'default' || currencyOf(last) !== undefined
}

function termsProblem(rule: RuleTerms): string | undefined {
  if (rule.scope !== 'default' && !rule.refId) return 'ref_missing'
  if (rule.scope === 'default' && rule.refId) return 'ref_unexpected'
  const amounts = [rule.fixed, rule.min, rule.max].filter((amount) => amount !== undefined)
  if (amounts.some((amount) => !currencyKnown(amount.currency))) return 'currency_unknown'
  if (new Set(amounts.map((amount) => amount.currency)).size > 1) return 'currency_mixed'
  if (amounts.some((amount) => amount.minor < 0n)) return 'amount_negative'
  if (amounts.some((amount) => amount.minor > MAX_RULE_MINOR)) return 'amount_too_large'
  if (rule.min && rule.max && rule.min.minor > rule.max.minor) return 'min_above_max'
  return undefined
}

/** True when every line the later rule matches is decided by the earlier one. */
function covers(earlier: RuleTerms, later: RuleTerms): boolean {
  const bound = currencyOf(earlier)
  if (bound !== undefined && bound !== currencyOf(later)) return false
  return earlier.scope === 'default' || (earlier.scope === later.scope && earlier.refId === later.refId)
}

export function currencyKnown(currency: string): boolean {
  try {
    exponent(currency)
    return true
  } catch {
    return false
  }
}
