/**
 * A change that spans two stores. `work` gets the stores inside one transaction: all of its writes are
 * durable when `run` resolves, none of them when it rejects. storage/ implements it; a room asks for just the
 * stores that it needs by the type parameter.
 */
export interface UnitOfWork<Stores> {
  run<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
}
