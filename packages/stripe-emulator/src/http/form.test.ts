import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, parseForm, toJson } from './form.ts'

describe('parseForm', () => {
  it.each([
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a[b][c]=1&a[b][d]=2', { a: { b: { c: '1', d: '2' } } }],
    ['a[]=1&a[]=2', { a: ['1', '2'] }],
    ['a[0][b]=1&a[1][b]=2', { a: [{ b: '1' }, { b: '2' }] }],
    ['a%5Bb%5D=x+y%26z', { a: { b: 'x y&z' } }],
    ['a=', { a: '' }],
    ['', {}],
  ])('%s', (text, expected) => {
    expect(toJson(parseForm(text))).toEqual(expected)
  })

  it.each(['a=1&a[b]=2', 'a[b]=2&a=1', 'a[b=1', '[a]=1', 'a]b=1'])('%s is refused', (text) => {
    expect(() => parseForm(text)).toThrow()
  })

  it('a parameter called __proto__ is a parameter like any other', () => {
    const parsed = toJson(parseForm('__proto__[polluted]=yes')) as Record<string, unknown>
    expect(Object.keys(parsed)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('two sets of parameters have one canonical text exactly when they are equal', () => {
    const params = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), fc.string()), {
      selector: ([name]) => name,
    })
    fc.assert(
      fc.property(params, fc.nat(), (pairs, turn) => {
        const at = pairs.length === 0 ? 0 : turn % pairs.length
        const rotated = [...pairs.slice(at), ...pairs.slice(0, at)]
        const textOf = (list: [string, string][]) => canonical(parseForm(new URLSearchParams(list).toString()))
        expect(textOf(rotated)).toBe(textOf(pairs))
        expect(textOf([...pairs, ['zzzz', '1']])).not.toBe(textOf(pairs))
      }),
    )
  })
})
