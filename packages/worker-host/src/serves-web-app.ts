/** The settings that say so, as they are in an environment. */
export interface WebAppVariables {
  readonly FLASH_ENDPOINT_TYPE?: string | undefined;
  readonly FLASH_IS_MOTHERSHIP?: string | boolean | undefined;
}

/** Whether the load-balancer entry serves the user's own web app instead of FunctionRequests (docs/reference/protocol.md, Modes). */
export function servesWebApp({ FLASH_ENDPOINT_TYPE, FLASH_IS_MOTHERSHIP }: WebAppVariables): boolean {
  return FLASH_ENDPOINT_TYPE === 'lb' || String(FLASH_IS_MOTHERSHIP).toLowerCase() === 'true';
}
