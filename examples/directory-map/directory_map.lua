-- lua.ask_directory <address>: asks the directory service for the pod of the request's host, keeps the
-- answer in the map "virt@pods" and in txn.pod.
core.register_action("ask_directory", { "http-req" }, function(txn, directory)
  local host = txn.sf:req_hdr("host"):lower():gsub(":%d+$", "")
  local response = core.httpclient():get {
    url = "http://" .. directory .. "/backend/" .. host,
    timeout = 2000,
  }
  if not response or response.status ~= 200 then
    core.Warning("the directory does not know " .. host)
    return
  end
  local pod = response.body:match("^%s*(%w+)%s*$")
  if pod and core.backends[pod] then
    core.set_map("virt@pods", host, pod)
    txn:set_var("txn.pod", pod)
  end
end, 1)
