{
  "targets": [
    {
      "target_name": "mbus_parser",
      "sources": ["addon.cc", "parser.cc", "data.cc", "fixed.cc", "vif.cc"],
      "cflags_cc": ["-std=c++17", "-O3", "-flto", "-Wall", "-Wextra", "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden"],
      "cflags_cc!": ["-fexceptions", "-std=gnu++20", "-std=gnu++17"],
      "ldflags": ["-flto"],
      "defines": ["NAPI_VERSION=8"]
    }
  ]
}
