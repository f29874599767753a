const ABI = LibPCML.PCML_VERSION_MAJOR == 0 ? "0.$(LibPCML.PCML_VERSION_MINOR)" : "$(LibPCML.PCML_VERSION_MAJOR)"
const LIBRARY_NAME = Sys.iswindows() ? "pcml.dll" : Sys.isapple() ? "libpcml.$ABI.dylib" : "libpcml.so.$ABI"
const REMEMBERED = joinpath(@__DIR__, "..", "deps", "library.txt")

# ENV["PCML_LIBRARY"], else what deps/build.jl remembered, else what the loader finds.
function library_path()
    given = get(ENV, "PCML_LIBRARY", "")
    isempty(given) || return given
    return isfile(REMEMBERED) ? strip(read(REMEMBERED, String)) : LIBRARY_NAME
end

function open_library()
    path = library_path()
    library = try
        dlopen(path)
    catch failure
        error("""
              PCML: the library pcml could not be opened as $path.
              Set the environment variable PCML_LIBRARY to the full path of $LIBRARY_NAME before `using PCML`, as in
                  PCML_LIBRARY=/opt/pcml/lib/$LIBRARY_NAME julia
              or let Pkg.build("PCML") remember it from there, or put its folder on the loader's path.
              ($(sprint(showerror, failure)))""")
    end
    version = unsafe_string(ccall(dlsym(library, :pcml_version_string), Cstring, ()))
    expected = "$(LibPCML.PCML_VERSION_MAJOR).$(LibPCML.PCML_VERSION_MINOR)"
    startswith(version, "$expected.") ||
        error("PCML: $path is version $version, this package is for $expected. Set PCML_LIBRARY to a library of that version.")
    LibPCML.find!(library)
    return
end
