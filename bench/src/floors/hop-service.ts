// The second floor's neighbour: a gRPC server with one handler that has nothing to do.
import { InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { createServer, type ServiceDefinition } from 'nice-grpc'

const { getStock } = InventoryServiceDefinition.methods
const server = createServer()
server.add(
  { ...InventoryServiceDefinition, methods: { getStock } } as unknown as ServiceDefinition,
  { getStock: async ({ sku }: { sku: string }) => ({ stock: { sku, available: 7 } }) } as never,
)
await server.listen(`127.0.0.1:${process.argv[2]}`)
process.send!('ready')
