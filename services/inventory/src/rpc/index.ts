import type { RpcTable } from '@haat/kit/grpc-server'
import type { InventoryServiceImplementation } from '@haat/proto/inventory/v1/inventory'
import type { InventoryContext } from '../context.ts'
import { adjustStock } from './adjust-stock.ts'
import { batchGetStock } from './batch-get-stock.ts'
import { commit } from './commit.ts'
import { extend } from './extend.ts'
import { getStock } from './get-stock.ts'
import { listLowStock } from './list-low-stock.ts'
import { listMovements } from './list-movements.ts'
import { listStock } from './list-stock.ts'
import { release } from './release.ts'
import { reserve } from './reserve.ts'
import { restock } from './restock.ts'
import { setStock } from './set-stock.ts'
import { verifyStock } from './verify-stock.ts'

export const rpc: RpcTable<InventoryContext, InventoryServiceImplementation> = {
  adjustStock,
  batchGetStock,
  commit,
  extend,
  getStock,
  listLowStock,
  listMovements,
  listStock,
  release,
  reserve,
  restock,
  setStock,
  verifyStock,
}
