import { exponent } from '@haat/money/exponent'
import type { Money } from '@haat/money/money'
import { isGtin } from './gtin.ts'
import type { Content, Pair, VariantContent } from './product.ts'

/** More than anything costs, and small enough that a cart's total stays within 64 bits. */
const MAX_MINOR = 10n ** 14n

export type ProblemCode =
  | 'sku_taken'
  | 'variant_options_invalid'
  | 'image_limit_reached'
  | 'media_not_found'
  | 'currency_mixed'
  | 'price_invalid'
  | 'barcode_invalid'

/** What is wrong with content, whatever else exists; `field` is named as in the import's columns. */
export type Problem = { code: ProblemCode; message: string; sku?: string; field?: string }

export const sortPairs = (pairs: Pair[]): Pair[] => [...pairs].sort((a, b) => (a.name < b.name ? -1 : 1))

/** Everything that is wrong with content by itself. */
export function problemsOf(content: Content, limits: { imagesPerProduct: number }): Problem[] {
  const problems = [
    ...optionProblems(content),
    ...content.variants.flatMap((variant) => variantProblems(variant, content)),
  ]
  if (content.images.length > limits.imagesPerProduct)
    problems.push({
      code: 'image_limit_reached',
      message: `at most ${limits.imagesPerProduct} images`,
      field: 'image_urls',
    })
  const currencies = new Set(content.variants.map((variant) => variant.price.currency))
  if (currencies.size > 1)
    problems.push({ code: 'currency_mixed', message: 'all variants have one currency', field: 'currency' })
  return problems
}

/** What is wrong with a price and the price it is compared with. */
export function priceProblem(price: Money, compareAt: Money | null): Problem | undefined {
  const bad = (message: string, field: string): Problem => ({ code: 'price_invalid', message, field })
  if (!isCurrency(price.currency)) return bad(`${price.currency} is no currency`, 'currency')
  if (price.minor < 0n || price.minor > MAX_MINOR) return bad('the price is out of range', 'price')
  if (!compareAt) return undefined
  if (compareAt.currency !== price.currency)
    return { code: 'currency_mixed', message: 'both prices have one currency', field: 'compare_at_price' }
  if (compareAt.minor <= price.minor || compareAt.minor > MAX_MINOR)
    return bad('the price it is compared with must be above the price', 'compare_at_price')
  return undefined
}

function isCurrency(code: string): boolean {
  try {
    exponent(code)
    return true
  } catch {
    return false
  }
}

function optionProblems(content: Content): Problem[] {
  const bad = (message: string, sku?: string): Problem => ({
    code: 'variant_options_invalid',
    message,
    ...(sku ? { sku } : {}),
  })
  const names = content.options.map((option) => option.name)
  if (new Set(names).size < names.length) return [bad('two options have one name')]
  const taken = new Map<string, string>()
  const problems: Problem[] = []
  for (const { sku, optionValues } of content.variants) {
    const values = content.options.map((option) => {
      const value = optionValues.find((pair) => pair.name === option.name)?.value
      return value !== undefined && option.values.includes(value) ? value : undefined
    })
    const key = JSON.stringify(values)
    const twin = taken.get(key)
    if (optionValues.length !== values.length || values.includes(undefined))
      problems.push(bad(`${sku} needs exactly one value of each option`, sku))
    else if (twin !== undefined) problems.push(bad(`${sku} has the option values of ${twin}`, sku))
    else taken.set(key, sku)
  }
  return problems
}

function variantProblems(variant: VariantContent, content: Content): Problem[] {
  const { sku } = variant
  const problems: Problem[] = []
  if (content.variants.find((other) => other.sku === sku) !== variant)
    problems.push({ code: 'sku_taken', message: `${sku} occurs twice`, sku, field: 'sku' })
  const price = priceProblem(variant.price, variant.compareAtPrice)
  if (price) problems.push({ ...price, sku })
  if (variant.barcode && !isGtin(variant.barcode))
    problems.push({
      code: 'barcode_invalid',
      message: `${variant.barcode} has a wrong check digit`,
      sku,
      field: 'barcode',
    })
  if (variant.imageId !== null && !content.images.some((image) => image.id === variant.imageId))
    problems.push({ code: 'media_not_found', message: `the image of ${sku} is none of the product's`, sku })
  return problems
}
