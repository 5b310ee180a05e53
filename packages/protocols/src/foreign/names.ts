/** Names of other registries as names of ours, and back: in wire, because bridges outside of a node use the same. */
export { escapeId, escapeName, readId, readName } from '@rollcall/wire'
