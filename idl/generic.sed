# Makes generated Rust generic over the protocol: `&mut dyn TInputProtocol` in an argument becomes
# `&mut impl TInputProtocol`, so that reading and writing a value is direct calls, which the optimiser sees through.
# sed -E -f idl/generic.sed, over the compiler's own output, once; it knows nothing of any one IDL. Generated code serves without it, too, and a call
# takes half as much time again (ARCHITECTURE.md, "Figures").

# Structs, unions and enums: the functions become their own; thrift's trait, which says `dyn`, calls them.
s/^impl TSerializable for (.*) \{$/\
impl TSerializable for \1 {\
  fn read_from_in_protocol(i_prot: \&mut dyn TInputProtocol) -> thrift::Result<\1> { \1::read_from_in_protocol(i_prot) }\
  fn write_to_out_protocol(\&self, o_prot: \&mut dyn TOutputProtocol) -> thrift::Result<()> { self.write_to_out_protocol(o_prot) }\
}\
\
impl \1 {/
# Clients pass `dyn` protocols to the same functions.
/^  fn (read_from_in_protocol|write_to_out_protocol)\(/ {
  s/^  fn/  pub fn/
  s/&mut dyn (T(In|Out)putProtocol)/\&mut (impl \1 + ?Sized)/
}

# Services: the processor is this library's Processor, not thrift's TProcessor, which says `dyn`.
s/^impl <H: (.*)> TProcessor for /impl <H: \1 + Send + Sync + 'static> calculate::server::Processor for /
/^  (pub )?fn process(_|\()/ s/&mut dyn (T(In|Out)putProtocol)/\&mut impl \1/g
# It is told the method, and asks for it no more.
/^  fn process\(/ s/&self, /\&self, message_ident: \&calculate::server::Identifier<'_>, /
/^    let message_ident = i_prot\.read_message_begin\(\)\?;$/ d
s/match &\*message_ident\.name \{/match message_ident.name {/
s/thrift::server::handle_process_result\(&message_ident, /calculate::server::handle_process_result(message_ident, /
