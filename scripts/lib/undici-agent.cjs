/**
 * All that the product uses of undici: its Agent. The whole package has fetch, WebSocket, caches, proxies and mocks as well, and loading those
 * takes a fifth of the time in which a queue worker starts.
 */
const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
const api = require('undici/lib/api/index.js');

Object.assign(Dispatcher.prototype, api);
exports.Agent = require('undici/lib/dispatcher/agent.js');
