import { expect, test } from 'vitest'
import { bayesianRating, derive, inOrder } from './derive.ts'
import { createProduct } from './edit.ts'
import type { VariantContent } from './product.ts'

const variant = (sku: string, size: string, minor: bigint, isActive = true): VariantContent => ({
  sku,
  optionValues: [{ name: 'Size', value: size }],
  price: { currency: 'BDT', minor },
  compareAtPrice: minor === 100n ? { currency: 'BDT', minor: 150n } : null,
  taxClass: 'standard',
  weightGrams: 0,
  dimensions: null,
  barcode: '96385074',
  imageId: null,
  isActive,
})
const product = (...variants: VariantContent[]) =>
  createProduct(
    {
      vendorId: 'v',
      slug: 's',
      brandName: 'Walton',
      vendorActive: true,
      content: {
        title: 'Red Shirt',
        description: '',
        categoryIds: [],
        brandId: null,
        images: [],
        attributes: [],
        options: [{ name: 'Size', values: ['S', 'M', 'L'] }],
        seo: { title: '', description: '', keywords: ['Summer wear'] },
        variants,
      },
    },
    { by: 'me', at: new Date(0), newId: () => 'id' },
  )

test('prices, SKUs and words follow from active variants, in the order of the options', () => {
  const made = product(variant('l', 'L', 300n), variant('s', 'S', 100n), variant('off', 'M', 1n, false))
  expect(inOrder(made).map((v) => v.sku)).toEqual(['s', 'off', 'l'])
  expect(made).toMatchObject({
    skus: ['s', 'l'],
    barcodes: ['96385074'],
    price: { currency: 'BDT', min: 100n, max: 300n, compareAt: 150n },
    tokens: ['red', 'shirt', 'walton', 'summer', 'wear'],
    visible: false,
  })
})

test('without an active variant there is no price, and the product comes last in either order', () => {
  const [off, on] = [product(variant('off', 'M', 1n, false)), product(variant('on', 'M', 10n ** 14n))]
  expect(off.price).toBeNull()
  expect(off.cheapFirst > on.cheapFirst && off.dearFirst < on.dearFirst).toBe(true)
})

test('visible is active with an active vendor', () => {
  const made = product()
  const seen = (status: 'active' | 'archived', vendorActive: boolean) =>
    derive({ ...made, status, vendorActive }).visible
  expect([seen('active', true), seen('active', false), seen('archived', true)]).toEqual([true, false, false])
})

test('few ratings stay near the middle, many speak for themselves', () => {
  expect(bayesianRating(0, 0)).toBe(3.5)
  expect(bayesianRating(5, 1)).toBeLessThan(4)
  expect(bayesianRating(5, 1000)).toBeGreaterThan(4.9)
})
