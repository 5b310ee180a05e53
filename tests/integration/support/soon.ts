/** Answers that must come long before the end that the request would have by itself, such as those of long polls. */

/** The answer, or a rejection after `withinMs`. */
export async function soon<T>(answer: Promise<T>, withinMs = 5_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${withinMs} ms`)), withinMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
