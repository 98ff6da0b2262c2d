/** `@flash/http-client`: HTTP calls that are bounded in every way. */
export { HttpCallError } from './http-call-error.ts';
export { type HttpAnswer, type HttpCall, HttpClient, type HttpClientOptions } from './http-client.ts';
