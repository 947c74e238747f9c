import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyChanges, changeName, diffContent, needsReview, newSkus, toJson } from './changes.ts'
import { createProduct, editProduct } from './edit.ts'
import type { Content, VariantContent } from './product.ts'

let ids = 0
const newId = () => `id-${++ids}`
const at = new Date(0)
const edit = { by: 'me', at, newId }

const words = fc.constantFrom('', 'a', 'b', 'ঢ', '$x.y')
const variantOf = (sku: string) =>
  fc.record<VariantContent>({
    sku: fc.constant(sku),
    optionValues: fc.constant([]),
    price: fc.record({ currency: fc.constant('BDT'), minor: fc.bigInt(0n, 3n) }),
    compareAtPrice: fc.constantFrom(null, { currency: 'BDT', minor: 9n }),
    taxClass: fc.constantFrom('standard', 'zero'),
    weightGrams: fc.nat(2),
    dimensions: fc.constantFrom(null, { lengthMm: 1, widthMm: 2, heightMm: 3 }),
    barcode: fc.constantFrom('', '4006381333931'),
    imageId: fc.constantFrom(null, 'image'),
    isActive: fc.boolean(),
  })
const contents = fc.record<Content>({
  title: words,
  description: words,
  categoryIds: fc.subarray(['c1', 'c2']),
  brandId: fc.constantFrom(null, 'brand'),
  images: fc.constantFrom([], [{ id: 'image', alt: '', width: 1, height: 1, url: null }]),
  attributes: fc.constantFrom([], [{ name: 'a.b', value: '$' }]),
  options: fc.constantFrom([], [{ name: 'Size', values: ['S'] }]),
  seo: fc.record({ title: words, description: words, keywords: fc.subarray(['k']) }),
  variants: fc.subarray(['A', 'B', 'C']).chain((skus) => fc.tuple(...skus.map(variantOf))),
})
const productOf = (content: Content) =>
  createProduct({ vendorId: 'v', slug: 's', content, brandName: '', vendorActive: true }, edit)
const active = (variants: readonly VariantContent[]) => variants.filter((variant) => variant.isActive)
const plain = ({ sku, price, barcode, imageId, weightGrams, compareAtPrice }: VariantContent) =>
  toJson({ sku, price, barcode, imageId, weightGrams, compareAtPrice })

test('making the differences makes the content, and then there are none', () => {
  fc.assert(
    fc.property(contents, contents, (before, wanted) => {
      const product = productOf(before)
      const after = applyChanges(product, diffContent(product, wanted), at, newId)
      expect(diffContent(after, wanted)).toEqual([])
      expect(after.title).toBe(wanted.title)
      expect(active(after.variants).map(plain).sort()).toEqual(active(wanted.variants).map(plain).sort())
    }),
  )
})

test('what a vendor changes on a live product applies now or waits, never both, never neither', () => {
  fc.assert(
    fc.property(contents, contents, (before, wanted) => {
      const product = { ...productOf(before), status: 'active' as const }
      const all = diffContent(product, wanted)
      const result = editProduct(product, { ...wanted, brandName: '' }, 'review', edit)
      if (all.length === 0) return expect(result).toBeUndefined()
      expect(result!.applied.every((change) => !needsReview(change))).toBe(true)
      expect([...result!.applied, ...(result!.opened?.changes ?? [])].map(changeName).sort()).toEqual(
        all.map(changeName).sort(),
      )
      expect(result!.next.title).toBe(before.title)
      const approved = applyChanges(result!.next, result!.opened?.changes ?? [], at, newId)
      expect(diffContent(approved, wanted)).toEqual([])
    }),
  )
})

test('changes are named as in the contract', () => {
  const change = (sku: string | null, field: string) => changeName({ sku, field, before: null, after: null })
  expect([change(null, 'categoryIds'), change('A', 'optionValues'), change('A', 'variant')]).toEqual([
    'category_ids',
    'variants.A.option_values',
    'variants.A',
  ])
  expect(
    newSkus([
      { sku: 'A', field: 'variant', before: null, after: {} },
      { sku: 'B', field: 'price', before: 1, after: 2 },
    ]),
  ).toEqual(['A'])
})

test('equal values have equal JSON, whatever the order of their keys', () => {
  expect(toJson({ b: 1n, a: [{ d: null, c: 2 }] })).toBe(toJson({ a: [{ c: 2, d: null }], b: 1n }))
  expect(toJson(undefined)).toBe('null')
})
