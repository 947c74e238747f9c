import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compose, unknownVariables, variablesOf } from './compose.ts'
import { toHref } from './render.ts'
import { expand, parse, TemplateError } from './template.ts'
import type { Payload } from './values.ts'

const style = { locale: 'en', timeZone: 'UTC' } as const
const site = { name: 'Haat', storefront: 'https://shop.test', vendor: 'https://vendor.test' }
const text = (body: string, payload: Payload) => {
  const { text, values } = expand(parse(body), payload, style)
  return text.replace(/\uE000(\d+)\uE001/g, (_, i) => values[i]!)
}
const mail = (body_md: string, payload: Payload) =>
  compose({ channel: 'email', locale: 'en', subject: 'S', body_md }, { payload, site, timeZone: 'UTC' })

describe('parse and expand', () => {
  it('puts values in, works off sections, and takes the line of a tag that stands alone', () => {
    const body = 'Hi {{a.b}}\n{{#list}}\n- {{t}} {{a.b}}\n{{/list}}\n{{^none}}\nnone\n{{/none}}\n{{#yes}}y{{/yes}}end'
    expect(text(body, { a: { b: 'B' }, list: [{ t: 1 }, { t: 2 }], yes: true })).toBe('Hi B\n- 1 B\n- 2 B\nnone\nyend')
  })

  it('shows a section over an amount only when there is something', () => {
    const body = '{{#d}}off {{d}}{{/d}}'
    expect(text(body, { d: { currency: 'BDT', minor: '0' } })).toBe('')
    expect(text(body, { d: { currency: 'BDT', minor: '150' } })).toMatch(/^off BDT\s1\.50$/)
  })

  it('names what is missing, except inside sections that are not shown', () => {
    const expanded = expand(parse('{{a}} {{#s}}{{b}}{{/s}} {{c.d}}'), { c: {} }, style)
    expect(expanded.missing).toEqual(['a', 'c.d'])
  })

  it('says where a text cannot be read', () => {
    const lineOf = (body: string) => {
      try {
        parse(body)
      } catch (error) {
        return (error as TemplateError).line
      }
    }
    expect(lineOf('a\n{{#x}}\nb')).toBe(2)
    expect(lineOf('a\n\n{{/x}}')).toBe(3)
    expect(lineOf('{{#x}}{{/y}}')).toBe(1)
    expect(lineOf('a\nb {{ c d }}')).toBe(2)
    expect(lineOf('a\n\n\n}} b')).toBe(4)
  })

  it('never breaks on any text: it is read, or refused as a template', () => {
    const pieces = fc.array(
      fc.constantFrom('{{', '}}', '{{a}}', '{{#a}}', '{{/a}}', '{{^b}}', '\n', ' ', 'x', '{', '}'),
    )
    fc.assert(
      fc.property(pieces, (parts) => {
        try {
          expand(parse(parts.join('')), { a: [1, 2] }, style)
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError)
        }
      }),
    )
  })

  it('reaches own properties only', () => {
    const names = ['constructor', '__proto__.x', 'toString', 'a.constructor.name', 'list.length']
    for (const name of names) expect(expand(parse(`{{${name}}}`), { a: {}, list: [] }, style).missing).toEqual([name])
  })
})

describe('compose', () => {
  it('no value becomes markup, whatever it holds', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('<script>', '[a](javascript:b)', '**b**', '"><img src=x>', '\uE0000\uE001', '&lt;', '| a |'),
    )
    const body =
      '# {{v}}\n\n{{v}} **{{v}}** `{{v}}`\n\n| a |\n|--|\n| {{v}} |\n\n- {{v}}\n\n[x]({{site.storefront}}/{{v}})'
    const shape = (html: string) =>
      html
        .replace(/>[^<]*</g, '><')
        .replace(/href="[^"]*"/g, 'href')
        .replace(/"> /g, '">')
    const tags = (html: string) => [...html.matchAll(/<\/?[a-z0-9]+/g)].map(String)
    const expected = tags(mail(body, { v: 'plain' }).html)
    fc.assert(
      fc.property(nasty, (v) => {
        const { html } = mail(body, { v })
        expect(tags(html)).toEqual(expected)
        expect(shape(html)).not.toMatch(/javascript:/)
      }),
    )
  })

  it('links lead to web pages only, and values are pieces of them', () => {
    expect(toHref('\uE0000\uE001/o/\uE0001\uE001', ['https://a.b', 'x/../y?z#'])).toBe(
      'https://a.b/o/x%2F..%2Fy%3Fz%23',
    )
    expect(toHref('\uE0000\uE001', ['javascript:alert(1)'])).toBe('#')
    expect(toHref('data:text/html,x', [])).toBe('#')
    expect(toHref('/relative', [])).toBe('#')
  })

  it('a subject is one line', () => {
    const template = { channel: 'push', locale: 'en', subject: 'A {{v}}', body_md: 'b' } as const
    const options = { payload: { v: 'x\r\nBcc: y\u0000z' }, site, timeZone: 'UTC' }
    expect(compose(template, options).subject).toBe('A x Bcc: y z')
  })

  it('HTML in a template is shown, not obeyed, and pictures are left out', () => {
    const { html } = mail('<b onclick="x">a</b> ![alt](https://track.test/p.gif)', {})
    expect(html).not.toMatch(/<b |<img/)
  })

  it('names its variables, and those that a sample cannot fill', () => {
    const template = { subject: '{{a}}', body_md: '{{#items}}{{title}}{{/items}}{{#why.x}}{{b}}{{/why.x}}{{c}}' }
    expect(variablesOf(template)).toEqual(['a', 'b', 'c', 'items', 'title', 'why.x'])
    expect(unknownVariables(template, { a: 1, c: 2, items: [{ title: 't' }] })).toEqual(['b'])
  })

  it('tells amounts and times in the language of the message', () => {
    const at = '2026-03-14T09:30:00Z'
    const body_md = '{{amount}} {{at}} {{n}}'
    const payload = { amount: { currency: 'BDT', minor: '123456' }, at, n: 5 }
    const bn = compose(
      { channel: 'sms', locale: 'bn', subject: '', body_md },
      { payload, site, timeZone: 'Asia/Dhaka' },
    )
    expect(bn.text).toMatch(/১,২৩৪\.৫৬.*১৪ মার্চ.*৩:৩০.* ৫$/)
    const en = compose(
      { channel: 'sms', locale: 'en', subject: '', body_md },
      { payload, site, timeZone: 'Asia/Dhaka' },
    )
    expect(en.text).toMatch(/1,234\.56.*March 14, 2026.*3:30\sPM 5$/)
    const never = compose(
      { channel: 'sms', locale: 'en', subject: '', body_md: '{{at}}' },
      { payload: { at: '2026-99-99T99:99:99Z' }, site, timeZone: 'Asia/Dhaka' },
    )
    expect(never.text).toBe('2026-99-99T99:99:99Z')
  })
})
