// All images, for linux/amd64 and linux/arm64: docker buildx bake --file docker/bake.hcl [all|cpu|gpu]
//
// One Python version at a time: PYTHON_VERSION=3.14 docker buildx bake …
variable "PYTHON_VERSION" { default = "3.12" }
variable "VERSION" { default = "0.1.0" }
variable "REGISTRY" { default = "" }
variable "CPU_BASE_IMAGE" { default = "python:${PYTHON_VERSION}-slim" }
// The Python of the GPU image is its own: PYTHON_VERSION must be that.
variable "GPU_BASE_IMAGE" { default = "pytorch/pytorch:2.9.1-cuda12.8-cudnn9-runtime" }

group "default" { targets = ["all"] }
group "all" { targets = ["cpu", "gpu"] }
group "cpu" { targets = ["flash-cpu", "flash-lb-cpu"] }
group "gpu" { targets = ["flash", "flash-lb"] }

target "image" {
  context    = "."
  dockerfile = "docker/Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  args = {
    PYTHON_VERSION = PYTHON_VERSION
    VERSION        = VERSION
  }
}

target "flash-cpu" {
  inherits = ["image"]
  target   = "flash-cpu"
  tags     = ["${REGISTRY}flash-cpu:py${PYTHON_VERSION}-${VERSION}"]
  args     = { BASE_IMAGE = CPU_BASE_IMAGE }
}

target "flash-lb-cpu" {
  inherits = ["image"]
  target   = "flash-lb-cpu"
  tags     = ["${REGISTRY}flash-lb-cpu:py${PYTHON_VERSION}-${VERSION}"]
  args     = { BASE_IMAGE = CPU_BASE_IMAGE }
}

// There is no such base for arm64.
target "flash" {
  inherits  = ["image"]
  target    = "flash"
  platforms = ["linux/amd64"]
  tags      = ["${REGISTRY}flash:py${PYTHON_VERSION}-${VERSION}"]
  args      = { BASE_IMAGE = GPU_BASE_IMAGE }
}

target "flash-lb" {
  inherits  = ["image"]
  target    = "flash-lb"
  platforms = ["linux/amd64"]
  tags      = ["${REGISTRY}flash-lb:py${PYTHON_VERSION}-${VERSION}"]
  args      = { BASE_IMAGE = GPU_BASE_IMAGE }
}
