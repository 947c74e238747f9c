type EnumObject = Record<string, number>
type Named<E extends EnumObject> = Lowercase<Exclude<keyof E & string, 'UNSPECIFIED'>>

/**
 * Translates a contract's enum to the name the database and JSON hold, and back: `VendorStatus.PENDING` ↔ `'pending'`.
 * Both directions throw on a value the enum does not have.
 */
export function enumNames<const E extends EnumObject>(type: E) {
  const names = new Map<number, Named<E>>()
  const numbers = new Map<string, E[keyof E]>()
  for (const [name, number] of Object.entries(type)) {
    if (name === 'UNSPECIFIED') continue
    names.set(number, name.toLowerCase() as Named<E>)
    numbers.set(name.toLowerCase(), number as E[keyof E])
  }
  return {
    /** All names, in the order of the contract. */
    names: [...names.values()],
    toName(value: number): Named<E> {
      const name = names.get(value)
      if (name === undefined) throw new TypeError(`no such enum value: ${value}`)
      return name
    },
    fromName(name: string): E[keyof E] {
      const value = numbers.get(name)
      if (value === undefined) throw new TypeError(`no such enum name: ${name}`)
      return value
    },
  }
}
