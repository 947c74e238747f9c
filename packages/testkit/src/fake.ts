/** A neighbour that knows only the listed RPCs; any other call fails the test that made it. */
export function fake<Client extends object>(name: string, rpcs: Partial<Client>): Client {
  return new Proxy(rpcs as Client, {
    get(target, property) {
      if (property in target) return target[property as keyof Client]
      if (property === 'then' || typeof property === 'symbol') return undefined
      return () => Promise.reject(new Error(`unexpected call: ${name}.${String(property)}`))
    },
  })
}
