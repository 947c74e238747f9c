import fc from 'fast-check'
import { expect, test } from 'vitest'
import { slugOf } from './slug.ts'

test('a name becomes readable in a URL', () => {
  expect(slugOf('Café Nila & Sons')).toBe('cafe-nila-sons')
  expect(slugOf("Rahim's  Shop!")).toBe('rahims-shop')
  expect(slugOf('নীলা স্টোর')).toBeUndefined()
})

test('whatever the name, the slug is one the contract takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (name) => {
      const slug = slugOf(name)
      return slug === undefined || (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug) && slug.length <= 100)
    }),
    { numRuns: 60 },
  )
})
