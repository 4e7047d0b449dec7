# A rack application for serve_rack.c: "/" says who answers, "/crash" ends its process in the middle of the request.
STARTED = Time.now # when the application was loaded: once, in the preloader, for all workers

run lambda { |env|
  Process.kill(:KILL, Process.pid) if env["PATH_INFO"] == "/crash"
  [200, { "Content-Type" => "text/plain" }, ["#{Process.pid} of an application loaded at #{STARTED.strftime('%T.%L')}: #{env['PATH_INFO']}\n"]]
}
