/** Polls until `check` passes (does not throw); fails with its last error after the time limit (default 10 s). */
export async function eventually<T>(check: () => Promise<T> | T, timeoutMs = 10_000): Promise<T> {
  const end = Date.now() + timeoutMs
  let wait = 5
  while (true) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, wait))
      wait = Math.min(wait * 2, 200)
    }
  }
}
