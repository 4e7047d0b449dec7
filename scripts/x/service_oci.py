class Container:
    name, title = "oci", "A container"
