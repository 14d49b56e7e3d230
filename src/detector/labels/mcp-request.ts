import type { HttpCall } from '../../core/index.ts';

/** What a request to a server of MCP asks for; several where it is a batch. */
export interface McpRequest {
  readonly method: string;
  /** The tool of a `tools/call`; null for everything else. */
  readonly tool: string | null;
}

const utf8 = new TextDecoder();

/** Empty: it is none, or its body was not read (`inspectBody`). */
export function mcpRequestsOf({ method, body }: HttpCall): readonly McpRequest[] {
  if (method !== 'POST' || body.kind !== 'buffered') return [];
  try {
    const message: unknown = JSON.parse(utf8.decode(body.bytes));
    return (Array.isArray(message) ? message : [message]).flatMap(requestOf);
  } catch {
    // No JSON, and so no request of MCP.
    return [];
  }
}

function requestOf(message: unknown): readonly McpRequest[] {
  if (typeof message !== 'object' || message === null || !('method' in message)) return [];
  const { method } = message;
  if (typeof method !== 'string') return [];
  const params = 'params' in message ? message.params : null;
  if (method !== 'tools/call' || typeof params !== 'object' || params === null || !('name' in params))
    return [{ method, tool: null }];
  return [{ method, tool: typeof params.name === 'string' ? params.name : null }];
}
