import { type DescMessage, getOption, hasOption } from '@bufbuild/protobuf'
import { registry } from '@haat/proto/image'
import { expect, test } from 'vitest'
import { eventOf } from '../src/events/definition.ts'

const extension = registry.getExtension('haat.options.v1.event')!
const events: DescMessage[] = []
for (const type of registry) if (type.kind === 'message' && hasOption(type, extension)) events.push(type)

const messageOf = ({ typeName }: DescMessage) => ({
  $type: typeName,
  toJSON: (m: unknown) => m,
  fromJSON: (o: unknown) => o,
})

test('every event of the contracts names its type, version, aggregate and an aggregate id field that exists', () => {
  expect(events.length).toBeGreaterThan(0)
  for (const descriptor of events) {
    const event = eventOf(messageOf(descriptor))
    expect(event.type, descriptor.typeName).toMatch(/^[a-z_]+(\.[a-z_]+)+$/)
    expect(event.version, descriptor.typeName).toBeGreaterThan(0)
    expect(event.aggregate, descriptor.typeName).not.toBe('')
    expect(descriptor.fields.map((field) => field.localName)).toContain(event.aggregateIdField)
  }
})

test('no two events of the contracts share a type and version', () => {
  const keys = events.map((descriptor) => {
    const { type, version } = getOption(descriptor, extension) as unknown as { type: string; version: number }
    return `${type}@${version}`
  })
  expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([])
})

test('a message that is no event is refused', () => {
  expect(() => eventOf(messageOf(registry.getMessage('haat.common.v1.Money')!))).toThrow('no (haat.options.v1.event)')
  expect(() => eventOf(messageOf({ typeName: 'haat.none.v1.None' } as DescMessage))).toThrow(
    'not in the descriptor image',
  )
})
